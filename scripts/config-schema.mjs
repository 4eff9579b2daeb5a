// Writes recipes/schema.json, the JSON schema of config files: node --import tsx scripts/config-schema.mjs
import { writeFileSync } from 'node:fs';
import { configSchema } from '../lib/config/schema.ts';

const file = new URL('../recipes/schema.json', import.meta.url);
writeFileSync(file, `${JSON.stringify(configSchema, null, 2)}\n`);
