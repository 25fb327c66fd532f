import type { PlaybackChange, Player } from './player.ts';

/**
 * Playbacks that go together: what one client wishes happens to all of them. Each still reads for itself, so
 * that a slow client slows nobody but itself.
 */
export class PlaybackGroup {
  readonly #players = new Set<Player>();

  /** The player goes on where the others are. */
  join(player: Player): void {
    const [leader] = this.#players;
    this.#players.add(player);
    if (!leader) return;
    const { currentTime, speed, status } = leader.state;
    player.control({ seekTime: currentTime, speed, playing: status === 'playing' });
  }

  leave(player: Player): void {
    this.#players.delete(player);
  }

  /** Carries out one client's wish; the answer to it goes to that client alone. */
  control(asking: Player, { requestId, ...change }: PlaybackChange): void {
    for (const player of this.#players) if (player !== asking) player.control(change);
    asking.control({ ...change, ...(requestId !== undefined && { requestId }) });
  }
}
