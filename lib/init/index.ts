// Initialisers of parameters.
export { Initializer, type RandomStream } from './initializer.js';
export { Constant, Normal, One, Uniform, Zero } from './simple.js';
export { MSRAPrelu, type MSRAPreluOptions, Xavier, type XavierOptions } from './xavier.js';
