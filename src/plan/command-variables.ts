import { isJsonObject, type JsonObject, type JsonValue } from '../model/json.js';

/*
 * How a command gets its item and the params: as variables, never as text put into the command. The check of shell text and the
 * threads that start commands go by the same rules, and these are they.
 */

/** The variables of the params: `PARAM_<name>`. */
export function paramVariables(params: JsonObject): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const [name, value] of Object.entries(params)) {
    if (isVariableSuffix(name)) variables[`PARAM_${name}`] = asText(value);
  }
  return variables;
}

/** The variables of a subtask: `INDEX`, `ITEM`, and `ITEM_<field>` for the scalar fields of an item. */
export function itemVariables(item: JsonValue | undefined, index: number | undefined): Record<string, string> {
  const variables: Record<string, string> = {};
  if (index !== undefined) variables['INDEX'] = String(index);
  if (item === undefined) return variables;
  variables['ITEM'] = asText(item);
  if (isJsonObject(item)) {
    for (const [name, value] of Object.entries(item)) {
      if (isVariableSuffix(name) && isScalar(value)) variables[`ITEM_${name}`] = asText(value);
    }
  }
  return variables;
}

/** The fields of an item that commands get as variables. */
export function variableFields(item: JsonValue): readonly string[] {
  if (!isJsonObject(item)) return [];
  return Object.entries(item).flatMap(([name, value]) => (isVariableSuffix(name) && isScalar(value) ? [name] : []));
}

/** The fields of an item that would be variables of commands, if not for their names. */
export function unavailableFields(item: JsonValue): readonly string[] {
  if (!isJsonObject(item)) return [];
  return Object.entries(item).flatMap(([name, value]) => (!isVariableSuffix(name) && isScalar(value) ? [name] : []));
}

/** A warning about such fields, and what to do about it. */
export function unavailableFieldsText(
  task: string,
  fields: readonly string[],
): { readonly message: string; readonly hint: string } {
  const [first = ''] = fields;
  const names = fields.slice(0, SHOWN_FIELDS).map((name) => `'${name}'`);
  const all = `${names.join(', ')}${fields.length > SHOWN_FIELDS ? ', …' : ''}`;
  return {
    message: `the command of task '${task}' cannot read ${fields.length === 1 ? 'field' : 'fields'} ${all}: a variable's name has letters, digits and '_' only`,
    hint: `rename the field, or make run a list, with \${{ item[${JSON.stringify(first)}] }}`,
  };
}

const SHOWN_FIELDS = 5;

/** Whether a name may stand behind `ITEM_` or `PARAM_`, where it may begin with a digit. */
export function isVariableSuffix(name: string): boolean {
  return VARIABLE_SUFFIX.test(name);
}

const VARIABLE_SUFFIX = /^[A-Za-z0-9_]+$/;

function isScalar(value: JsonValue): boolean {
  return typeof value !== 'object' || value === null;
}

/** A scalar as it is, null as nothing, anything else as JSON. */
export function asText(value: JsonValue): string {
  if (typeof value === 'string') return value;
  return value === null ? '' : JSON.stringify(value);
}
