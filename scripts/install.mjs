// Runs at `npm install`: builds the addon, and the CUDA backend where a toolkit with cuDNN is found. Where something is
// missing it says how to get it and lets the installation go on: `npm run setup` or the first use tells again.
// RESIDUA_INSTALL_BUILD=0 leaves it out.
import { buildAddonOrExplain } from './setup.mjs';

if (process.env.RESIDUA_INSTALL_BUILD !== '0') buildAddonOrExplain();
