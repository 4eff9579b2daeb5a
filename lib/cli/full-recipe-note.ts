// Tells once what the chapter's full recipe would take here, when the speed of this run is known.
import { roughDuration } from './format.js';
import { chapterRecipe, fullRecipeCommand, fullRecipeSeconds, multiplyAdds, type Recipe } from './recipe.js';

/** Steps after which the speed is taken: those that set things up are no longer among the measured ones. */
const stepsToMeasure = 25;

export class FullRecipeNote {
  readonly #recipe: Recipe;
  readonly #write: (line: string) => void;
  #isOpen: boolean;

  constructor(recipe: Recipe, kind: 'cpu' | 'gpu', write: (line: string) => void) {
    this.#recipe = recipe;
    this.#write = write;
    this.#isOpen = kind === 'cpu' && (recipe.resize !== chapterRecipe.resize || recipe.epochs !== chapterRecipe.epochs);
  }

  /** Before the training: what this run leaves out. */
  announce(): void {
    if (!this.#isOpen) return;
    const { resize, epochs } = this.#recipe;
    this.#write(
      `On the CPU: ${resize}x${resize} pixels, ${epochs} ${epochs === 1 ? 'epoch' : 'epochs'} ` +
        `(the chapter: ${chapterRecipe.resize}x${chapterRecipe.resize}, ${chapterRecipe.epochs} epochs, on a GPU).`,
    );
  }

  /** After a step: tells the estimate as soon as there is one. */
  afterStep(steps: number, imagesPerSecond: number | undefined): void {
    if (!this.#isOpen || steps < stepsToMeasure || imagesPerSecond === undefined) return;
    this.#isOpen = false;
    const ratio = multiplyAdds(chapterRecipe.resize) / multiplyAdds(this.#recipe.resize);
    this.#write(
      `The chapter's full recipe: ${fullRecipeCommand()}\n` +
        `  about ${roughDuration(fullRecipeSeconds(imagesPerSecond, this.#recipe.resize))} here: an estimate from the speed so far ` +
        `(${Math.round(imagesPerSecond)} images/s) and ${ratio.toFixed(1)} times the arithmetic an image.`,
    );
  }

  /** At the end: the command alone, where the run was too short to measure anything. */
  close(): void {
    if (this.#isOpen)
      this.#write(`The chapter's full recipe: ${fullRecipeCommand()} (this run was too short to estimate its time).`);
    this.#isOpen = false;
  }
}
