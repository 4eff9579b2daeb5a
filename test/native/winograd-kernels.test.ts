// Winograd's algorithm in float32 for each kind of vectors, those of other processors included.
import { testProgram } from '../helpers/program-lines.js';

testProgram("Winograd's algorithm in float32", 'winograd_test', 16); // eight sizes in two layouts, for each kind of vectors
