/** Values that a JSON Schema of the API's document says are good, for properties: bounds, formats, patterns, variants. */
import fc, { type Arbitrary } from 'fast-check';
import type { JsonSchema } from '#/contract/examples.ts';

type Components = Record<string, JsonSchema>;
const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null && !Array.isArray(value);
const listOf = (value: unknown): JsonSchema[] => (Array.isArray(value) ? value.filter(isSchema) : []);
const among = (values: Arbitrary<unknown>[]): Arbitrary<unknown> => (values.length === 0 ? fc.anything() : fc.oneof(...values));

function stringsOf({ format, pattern, minLength, maxLength }: JsonSchema): Arbitrary<unknown> {
  if (format === 'uuid') return fc.uuid({ version: 4 });
  if (format === 'email') return fc.stringMatching(/^[a-z][a-z0-9]{0,12}@[a-z][a-z0-9]{0,12}\.(org|net)$/);
  if (format === 'date-time')
    return fc
      .date({ min: new Date('1990-01-01'), max: new Date('2090-01-01'), noInvalidDate: true })
      .map((date) => date.toISOString());
  const least = Number(minLength ?? 0);
  const most = Number(maxLength ?? 200);
  const fits = (text: string) => text.length >= least && text.length <= most;
  if (typeof pattern === 'string')
    return fc.stringMatching(new RegExp(pattern, 'u'), { maxLength: Math.min(most, 100) }).filter(fits);
  return fc.string({ minLength: least, maxLength: Math.min(most, Math.max(least, 40)) });
}

function numbersOf(schema: JsonSchema, whole: boolean): Arbitrary<unknown> {
  const step = Number(schema.multipleOf ?? 1);
  // A bound that is left out itself is passed by a little.
  const min = Number(schema.minimum ?? Number(schema.exclusiveMinimum ?? -1_000_001) + 0.01);
  const max = Number(schema.maximum ?? Number(schema.exclusiveMaximum ?? 1_000_001) - 0.01);
  // Money is to the cent, and half of all values are.
  const cents = fc.integer({ min: Math.ceil(min * 100), max: Math.floor(max * 100) }).map((value) => value / 100);
  if (!whole)
    return max - min < 0.01 ? fc.double({ min, max, noNaN: true }) : fc.oneof(fc.double({ min, max, noNaN: true }), cents);
  return fc.integer({ min: Math.ceil(min / step), max: Math.floor(max / step) }).map((times) => times * step);
}

function objectsOf(schema: JsonSchema, components: Components): Arbitrary<unknown> {
  const properties = Object.entries(isSchema(schema.properties) ? schema.properties : {});
  const fields = Object.fromEntries(
    properties.flatMap(([name, inner]) => (isSchema(inner) ? [[name, valuesOf(inner, components)] as const] : [])),
  );
  const required = Array.isArray(schema.required) ? (schema.required as string[]) : [];
  const known = fc.record(fields, { requiredKeys: required });
  if (properties.length > 0 || !isSchema(schema.additionalProperties)) return known;
  return fc.dictionary(fc.stringMatching(/^[a-z_]{1,12}$/), valuesOf(schema.additionalProperties, components), { maxKeys: 3 });
}

/** Values of a schema. */
export function valuesOf(schema: JsonSchema, components: Components): Arbitrary<unknown> {
  if (typeof schema.$ref === 'string') {
    const named = components[schema.$ref.replace('#/components/schemas/', '')];
    if (named === undefined) throw new Error(`there is no ${schema.$ref}`);
    return valuesOf(named, components);
  }
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (Array.isArray(schema.enum)) return fc.constantFrom(...schema.enum);
  const variants = [...listOf(schema.anyOf), ...listOf(schema.oneOf)];
  if (variants.length > 0) return among(variants.map((variant) => valuesOf(variant, components)));
  const all = listOf(schema.allOf);
  if (all.length > 0)
    return fc.tuple(...all.map((part) => valuesOf(part, components))).map((parts) => Object.assign({}, ...parts));
  const kinds = [schema.type].flat().map((type): Arbitrary<unknown> => {
    switch (type) {
      case 'null':
        return fc.constant(null);
      case 'boolean':
        return fc.boolean();
      case 'integer':
        return numbersOf(schema, true);
      case 'number':
        return numbersOf(schema, false);
      case 'string':
        return stringsOf(schema);
      case 'array':
        return fc.array(isSchema(schema.items) ? valuesOf(schema.items, components) : fc.jsonValue(), {
          minLength: Number(schema.minItems ?? 0),
          maxLength: Math.min(Number(schema.maxItems ?? 4), Math.max(4, Number(schema.minItems ?? 0))),
        });
      case 'object':
        return objectsOf(schema, components);
      default:
        return fc.jsonValue();
    }
  });
  return among(kinds);
}
