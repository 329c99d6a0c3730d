import type { JsonObject, JsonValue } from '../model/json.js';

/** The values behind the names; what is absent here is 'unknown' to an expression. */
export interface ExpressionScope {
  readonly params: JsonObject;
  /** The environment of the process. */
  readonly env: JsonObject;
  readonly item?: JsonValue;
  readonly index?: number;
  /** `{results}` by task id. */
  readonly tasks?: JsonObject;
  /** The outcome that `success` looks at. */
  readonly results?: JsonValue;
  readonly prev?: JsonValue;
}
