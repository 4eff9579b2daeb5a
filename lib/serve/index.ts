// Serving: a trained net behind HTTP.
export type { ImageInput } from './image-classifier.js';
export type { ServeOptions } from './serve-options.js';
export { type NetServer, serve } from './server.js';
