/** Options of `nx g parallel:plan`; see schemas/plan.json. Lists may be given as one comma-separated text. */
export interface PlanGeneratorOptions {
  readonly prompt?: string;
  readonly promptFile?: string;
  readonly projects?: string | readonly string[];
  readonly affected?: boolean;
  readonly base?: string;
  readonly agent?: string;
  readonly command?: string;
  readonly verify?: string | readonly string[];
  readonly followDeps?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

/** Items of a comma-separated text or of a list of such texts; blanks are dropped. */
export function toList(value: string | readonly string[] | undefined): readonly string[] {
  const texts = typeof value === 'string' ? [value] : (value ?? []);
  return texts
    .flatMap((text) => text.split(','))
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
