// Changes of layout that the addon makes itself: those of whole tiles of weights, and, on the systems where oneDNN gets them wrong,
// those of tiles that channels do not fill.
import { testProgram } from '../helpers/program-lines.js';

testProgram('Changes of layout', 'reorder_test', 49); // seven layouts to each
