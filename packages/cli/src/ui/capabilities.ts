import type { Out } from '../terminal';

export type ColorChoice = 'auto' | 'always' | 'never';

/** What one output stream can show. */
export interface Capabilities {
  readonly tty: boolean;
  readonly color: boolean;
  /** Box-drawing and block characters; otherwise ASCII only. */
  readonly unicode: boolean;
  /** Width in cells. */
  readonly columns: number;
  readonly rows: number;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Used where there is no terminal to ask: wide enough for every column, and no limit of rows. */
const UNBOUNDED = { columns: 100, rows: Number.POSITIVE_INFINITY };

/** Decides per stream; `NO_COLOR` and `FORCE_COLOR` count only when they are not empty. */
export function capabilitiesOf(out: Out, env: Environment, choice: ColorChoice): Capabilities {
  return {
    tty: out.isTTY,
    color: hasColor(out, env, choice),
    unicode: hasUnicode(env),
    columns: out.columns ?? widthFrom(env) ?? UNBOUNDED.columns,
    rows: out.isTTY ? (out.rows ?? 24) : UNBOUNDED.rows,
  };
}

/** `true` where frames can be painted: a terminal that moves its cursor, and no CI log behind it. */
export function canPaint(out: Out, env: Environment): boolean {
  return out.isTTY && env['TERM'] !== 'dumb' && !isSet(env['CI']);
}

function hasColor(out: Out, env: Environment, choice: ColorChoice): boolean {
  if (choice !== 'auto') return choice === 'always';
  if (isSet(env['NO_COLOR'])) return false;
  const forced = env['FORCE_COLOR'];
  if (isSet(forced)) return forced !== '0' && forced !== 'false';
  return out.isTTY && env['TERM'] !== 'dumb';
}

/** A locale that names another charset (or `C`) means ASCII; no locale at all means UTF-8. */
function hasUnicode(env: Environment): boolean {
  if (env['TERM'] === 'linux' || env['TERM'] === 'dumb') return false;
  const locale = [env['LC_ALL'], env['LC_CTYPE'], env['LANG']].find(isSet);
  return locale === undefined || /utf-?8/i.test(locale);
}

function widthFrom(env: Environment): number | null {
  const columns = Number(env['COLUMNS']);
  return Number.isInteger(columns) && columns > 0 ? columns : null;
}

function isSet(value: string | undefined): value is string {
  return value !== undefined && value !== '';
}
