/** Version of this release; what a journal names as its writer. Equal to `version` in package.json. */
export const VERSION = '0.1.0';
