// Nets that are ready to train.
export { chapterResNet18 } from './chapter.js';
