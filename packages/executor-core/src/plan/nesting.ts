import { Lexer, Parser } from 'yaml';

/** Levels that the library can resolve, recursively, far from the end of the stack. */
const SAFE_LEVELS = 500;
/** Two block collections fit in a column, so a deep one has a long line, or many brackets. */
const LONG_LINE = /[^\n]{250}/;

/**
 * Where a YAML text nests deeper than can be read (offset); `null` where it does not. The library
 * recurses, and a regular expression that V8 has to compile at the very end of the stack ends the whole
 * process: nobody can catch that. So it is seen before, by the library's parser, which does not recurse.
 */
export function tooDeepAt(text: string): number | null {
  const brackets = text.match(/[[{]/g)?.length ?? 0;
  if (brackets <= SAFE_LEVELS && !LONG_LINE.test(text)) return null;
  const parser = new Parser();
  for (const lexeme of new Lexer().lex(text)) {
    // Its tokens are of no interest, but it moves only while they are taken.
    Array.from(parser.next(lexeme));
    if (parser.stack.length > SAFE_LEVELS) return Math.min(parser.offset, text.length - 1);
  }
  return null;
}
