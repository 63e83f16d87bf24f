import { StopOrder } from './stop-order';

describe('an order to an attempt', () => {
  const heard = (order: StopOrder): [() => string[], () => void] => {
    const seen: string[] = [];
    const stop = order.listen(() => seen.push(`${order.how ?? '-'} ${String(order.suspended)}`));
    return [() => seen, stop];
  };

  it('grows stronger and never weaker', () => {
    const order = new StopOrder();
    const [seen] = heard(order);
    order.give('kill');
    order.give('interrupt');
    expect(order.how).toBe('kill');
    expect(order.signal.aborted).toBe(true);
    expect(seen()).toEqual(['kill false']);
  });

  it('reaches whoever comes later', () => {
    const stopped = new StopOrder();
    stopped.give('interrupt');
    expect(heard(stopped)[0]()).toEqual(['interrupt false']);
    const held = new StopOrder();
    held.suspend();
    expect(heard(held)[0]()).toEqual(['- true']);
    const none = new StopOrder();
    none.suspend();
    none.resume();
    expect(heard(none)[0]()).toEqual([]);
  });

  it('reaches all that listen, and nobody who has stopped listening', () => {
    const order = new StopOrder();
    const [first, stop] = heard(order);
    const [second] = heard(order);
    order.suspend();
    stop();
    order.resume();
    expect(first()).toEqual(['- true']);
    expect(second()).toEqual(['- true', '- false']);
  });
});
