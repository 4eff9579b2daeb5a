// The argument of `residua train`: a config file, or the name of one of the recipes that come with residua.
import { existsSync, readdirSync } from 'node:fs';
import { join, parse } from 'node:path';
import { packageRoot } from '../../native.js';
import { nearestName } from '../../nearest-name.js';

const recipes = join(packageRoot, 'recipes');

/** The names of the recipes. */
export function recipeNames(): string[] {
  return readdirSync(recipes)
    .map((file) => parse(file))
    .filter(({ ext }) => ext === '.yaml')
    .map(({ name }) => name);
}

/** The file that is meant. Undefined, and what is wrong to `refuse`, where there is none. */
export function recipeFile(argument: string, refuse: (message: string) => never): string {
  const names = recipeNames();
  if (names.includes(argument)) return join(recipes, `${argument}.yaml`);
  if (existsSync(argument) || /[/\\]|\.(ya?ml|json)$/i.test(argument)) return argument;
  return refuse(
    `error: '${argument}' is no config file, nor a recipe: expected a file, or ${names.join(', ')}. Did you mean '${nearestName(argument, names)}'?`,
  );
}
