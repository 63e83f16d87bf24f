import { extname, join } from 'node:path';
import type { HelperAnswer, TextVersions } from '../merge/ladder/ladder-helpers';
import type { LadderTools } from './ladder-tools';
import { runTool, withFolder } from './ladder-tools';
import { mergeTypeScript } from './typescript-entities';

/** Files `base`, `ours`, `theirs` in, the merge in `result` (or in `ours`, as git's merge drivers do). */
interface Files {
  readonly base: string;
  readonly ours: string;
  readonly theirs: string;
  readonly result: string;
}

interface Tool {
  readonly name: string;
  readonly argv: (files: Files, path: string) => readonly string[];
  readonly answersIn: keyof Files;
}

const TOOLS: readonly Tool[] = [
  {
    name: 'mergiraf',
    argv: ({ base, ours, theirs, result }, path) => [
      'mergiraf',
      'merge',
      base,
      ours,
      theirs,
      '-o',
      result,
      '-p',
      path,
    ],
    answersIn: 'result',
  },
  {
    name: 'weave',
    argv: ({ base, ours, theirs }, path) => ['weave-driver', base, ours, theirs, '7', path],
    answersIn: 'ours',
  },
];
const LIMIT_MS = 20_000;

/**
 * Merges a text with a tool that knows its language, the first of mergiraf and weave that is on PATH:
 * looked up once; without either, TypeScript and JavaScript by their declarations, where the workspace has
 * TypeScript. `null` when nothing of that is there, or a conflict is left.
 */
export function entityMerge(
  tools: LadderTools,
): (conflict: TextVersions) => Promise<HelperAnswer | null> {
  let probed: Promise<Tool | null> | null = null;
  return async (conflict) => {
    probed ??= withFolder(tools.fs, (folder) => installed(tools, folder));
    const tool = await probed;
    return tool === null
      ? mergeTypeScript(tools, conflict)
      : withFolder(tools.fs, (folder) => merge(tools, tool, conflict, folder));
  };
}

async function installed(tools: LadderTools, folder: string): Promise<Tool | null> {
  for (const tool of TOOLS) {
    const [program = ''] = tool.argv({ base: '', ours: '', theirs: '', result: '' }, '');
    if (await runTool(tools, [program, '--version'], folder, LIMIT_MS)) return tool;
  }
  return null;
}

async function merge(
  tools: LadderTools,
  tool: Tool,
  { path, base, ours, theirs }: TextVersions,
  folder: string,
): Promise<HelperAnswer | null> {
  const { fs } = tools;
  const at = (name: string): string => join(folder, name + extname(path));
  const files = { base: at('base'), ours: at('ours'), theirs: at('theirs'), result: at('result') };
  for (const [file, content] of [
    [files.base, base ?? Buffer.alloc(0)],
    [files.ours, ours],
    [files.theirs, theirs],
  ] as const) {
    await fs.replace(file, content);
  }
  if (!(await runTool(tools, tool.argv(files, path), folder, LIMIT_MS))) return null;
  const answer = files[tool.answersIn];
  if (!(await fs.exists(answer))) return null;
  return {
    content: await fs.readFrom(answer, 0),
    reason: `merged by its parts, with ${tool.name}`,
  };
}
