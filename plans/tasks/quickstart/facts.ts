/** A declaration file as the scan found it. Paths are relative to the workspace folder. */
export type DeclarationFile = {
  readonly path: string;
  readonly package: string;
  readonly bytes: number;
};

/** What kinds of declaration a file can export. */
export type DeclarationKind = 'class' | 'enum' | 'function' | 'interface' | 'namespace' | 'type' | 'variable';

/** What the parser says about one file. Exported names are counted once, however many declarations merge into one. */
export type FileFacts = DeclarationFile & {
  /** SHA-256 of the content: equal for files that are copies of each other. */
  readonly hash: string;
  readonly lines: number;
  /** Uses of the type `any`. */
  readonly anyTypes: number;
  /** Uses of the word `any` as a name, such as `Promise.any`. */
  readonly anyNames: number;
  /** Uses of the word `export` outside comments and strings. */
  readonly exportWords: number;
  /** Exported names by kind; a kind without any is absent. */
  readonly exported: Readonly<Partial<Record<DeclarationKind, number>>>;
  /** Exported names with a doc comment. */
  readonly documented: number;
  /** Exported names marked `@deprecated`. */
  readonly deprecated: number;
};
