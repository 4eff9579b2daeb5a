// Changes of layout that the addon makes where oneDNN gets them wrong, which it does on few systems.
import { testProgram } from '../helpers/program-lines.js';

testProgram('Changes of layout by tables', 'table_reorder_test', 36); // six layouts to each
