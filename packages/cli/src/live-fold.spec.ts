import { NO_HISTORY } from './testing/fake-world';
import type { RunEvent } from '@parallel-executor/core';
import { landed, planOf, runStarted, second, started } from '@parallel-executor/core/testing';
import { LiveFold } from './live-fold';

const plan = planOf({ a: {}, b: {} });
const past: readonly RunEvent[] = [runStarted(plan), ...started('a', 1, 0), ...landed('a', 2)];
const news = started('b', 2, 3);

describe('a live fold', () => {
  it('shows news in order, and the past not at all', async () => {
    const shown: RunEvent[] = [];
    const live = new LiveFold({ plan, durations: NO_HISTORY }, (event) => shown.push(event));
    await live.catchUp({ events: () => Promise.resolve(past) });
    for (const event of news) live.take(event);
    expect(shown).toEqual(news);
    expect(live.view.counts).toMatchObject({ completed: 1, active: 1 });
  });

  it('counts an event once that comes live while the journal, which has it too, is read, and shows it', async () => {
    const shown: RunEvent[] = [];
    const live = new LiveFold({ plan, durations: NO_HISTORY }, (event) => shown.push(event));
    let deliver: (events: readonly RunEvent[]) => void = () => undefined;
    const reading = live.catchUp({
      events: () =>
        new Promise((resolve) => {
          deliver = resolve;
        }),
    });
    for (const event of news) live.take(event);
    expect(shown).toEqual([]);
    deliver([...past, ...news.slice(0, 2)]);
    await reading;
    expect(shown).toEqual(news);
    expect(live.view.concurrency).toMatchObject({ active: 1, slotMs: 2000 });
    expect(live.view.lastEventAt).toBe(second(3));
  });

  it('counts an event once that the journal has before it comes live', async () => {
    const shown: RunEvent[] = [];
    const live = new LiveFold({ plan, durations: NO_HISTORY }, (event) => shown.push(event));
    await live.catchUp({ events: () => Promise.resolve([...past, ...news]) });
    for (const event of news) live.take(event);
    expect(shown).toEqual(news);
    expect(live.view.concurrency).toMatchObject({ active: 1, slotMs: 2000 });
  });

  it('needs no past', async () => {
    const live = new LiveFold({ plan, durations: NO_HISTORY }, () => undefined);
    await live.catchUp(null);
    live.take(runStarted(plan));
    expect(live.view.startedAt).toBe(second(0));
  });
});
