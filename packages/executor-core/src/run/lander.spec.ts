import type { LanderContext } from './lander';
import { Lander } from './lander';

it('a lander that was told to stop is idle, also when something is queued afterwards', async () => {
  const lander = new Lander({} as LanderContext);
  lander.halt();
  lander.request();
  await lander.idle();
});
