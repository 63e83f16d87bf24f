/** How a run is shown while it goes on. */
export const PROGRESS_CHOICES = ['auto', 'tty', 'plain', 'json', 'none'] as const;
export type ProgressChoice = (typeof PROGRESS_CHOICES)[number];
