/** What another terminal may ask of a run. */
export type ControlRequest =
  /** `suspend`: agents at work are stopped where they are (SIGSTOP) and keep their leases. */
  | { readonly kind: 'pause'; readonly suspend?: boolean }
  | { readonly kind: 'resume' }
  | { readonly kind: 'kill'; readonly target: string }
  | { readonly kind: 'stop'; readonly how: 'drain' | 'stop' | 'kill' }
  /** From now on at most `maxAgents` at once; agents at work beyond that finish. */
  | { readonly kind: 'agents'; readonly maxAgents: number }
  /** A task that did not land is tried anew, with all its retries; `all` means every such task. */
  | { readonly kind: 'retry'; readonly target: string };
