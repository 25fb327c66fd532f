import { writeFile } from 'node:fs/promises';
import { collectionPlanSchema } from './collection-plan.ts';
import { contractSchema } from './contract.ts';
import { datasetManifestSchema } from './dataset-manifest.ts';
import { z } from './validation.ts';

/** The published JSON Schemas, by file name in `json/`; `npm run schemas` writes them anew. */
export const JSON_SCHEMAS: ReadonlyMap<string, string> = new Map([
  ['contract.schema.json', jsonSchema(contractSchema, 'Kinescribe contract')],
  ['collection-plan.schema.json', jsonSchema(collectionPlanSchema, 'Kinescribe collection plan')],
  ['dataset-manifest.schema.json', jsonSchema(datasetManifestSchema, 'Kinescribe dataset manifest')],
]);

/** Of what a person writes: keys with a default may be left out. */
function jsonSchema(schema: z.ZodType, title: string): string {
  return `${JSON.stringify({ title, ...z.toJSONSchema(schema, { io: 'input' }) }, null, 2)}\n`;
}

if (process.argv[1] === import.meta.filename) {
  for (const [name, text] of JSON_SCHEMAS) {
    await writeFile(new URL(`./json/${name}`, import.meta.url), text);
  }
}
