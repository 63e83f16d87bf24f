import type Chalk from 'chalk';
import type { TaskStateName } from '@parallel-executor/core';
import type { Capabilities } from './capabilities';

/** How a piece of text is meant; the theme decides how that looks. */
export type Tone = 'plain' | 'strong' | 'dim' | 'good' | 'bad' | 'warn' | 'busy';

/** Characters and colours of one stream. Colour never carries a meaning that no word carries. */
export interface Theme {
  paint(tone: Tone, text: string): string;
  readonly glyphs: Glyphs;
}

export interface Glyphs {
  readonly topLeft: string;
  readonly topRight: string;
  readonly bottomLeft: string;
  readonly bottomRight: string;
  readonly teeLeft: string;
  readonly teeRight: string;
  readonly horizontal: string;
  readonly vertical: string;
  readonly full: string;
  readonly empty: string;
  readonly ellipsis: string;
}

const UNICODE: Glyphs = {
  topLeft: '┌',
  topRight: '┐',
  bottomLeft: '└',
  bottomRight: '┘',
  teeLeft: '├',
  teeRight: '┤',
  horizontal: '─',
  vertical: '│',
  full: '█',
  empty: '░',
  ellipsis: '…',
};

const ASCII: Glyphs = {
  topLeft: '+',
  topRight: '+',
  bottomLeft: '+',
  bottomRight: '+',
  teeLeft: '+',
  teeRight: '+',
  horizontal: '-',
  vertical: '|',
  full: '#',
  empty: '.',
  ellipsis: '...',
};

/** The theme for a stream with these capabilities. */
export function themeOf(caps: Pick<Capabilities, 'color' | 'unicode'>): Theme {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a run paints nothing before its end, if at all
  const { Instance } = require('chalk') as typeof Chalk;
  const colors = new Instance({ level: caps.color ? 1 : 0 });
  const tones: Readonly<Record<Tone, (text: string) => string>> = {
    plain: (text) => text,
    strong: colors.bold,
    dim: colors.dim,
    good: colors.green,
    bad: colors.red,
    warn: colors.yellow,
    busy: colors.cyan,
  };
  return {
    paint: (tone, text) => tones[tone](text),
    glyphs: caps.unicode ? UNICODE : ASCII,
  };
}

/** The tone of a state word. */
export function toneOf(state: TaskStateName): Tone {
  switch (state) {
    case 'landed':
      return 'good';
    case 'failed':
    case 'conflicted':
      return 'bad';
    case 'blocked':
    case 'cancelled':
    case 'backoff':
      return 'warn';
    case 'running':
    case 'verifying':
    case 'merging':
      return 'busy';
    case 'pending':
    case 'leasing':
    case 'queued':
      return 'dim';
  }
}
