import type { RecordingCommand } from '../../schemas/recording-control.ts';
import type { RecordingNow } from '../api.ts';
import { fetchRecording, recordingEvents, sendCommand } from './server.ts';

export interface RecordingState {
  readonly connection: 'connecting' | 'open' | 'lost';
  /** Why there is none, in the server's words; empty where the server does not answer at all. */
  readonly reason: string;
  /** What the session last told; stays while the connection is lost. */
  readonly status: RecordingNow | undefined;
  /** The command that the server has not answered yet. */
  readonly pending: RecordingCommand['kind'] | undefined;
  /** Why the last command was not carried out; empty where it was. */
  readonly refusal: string;
}

/** The session tells its status four times a second: after a silence like this the line is dead. */
const SILENCE_MILLIS = 2500;
const RETRY_MILLIS = 1000;

/** The page's line to the recording session; mends itself when the server comes back. */
export class RecordingLink {
  #state: RecordingState = {
    ...{ connection: 'connecting', reason: '', refusal: '' },
    ...{ status: undefined, pending: undefined },
  };
  readonly #changed: (state: RecordingState) => void;
  #events: EventSource | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(changed: (state: RecordingState) => void) {
    this.#changed = changed;
    this.#open();
  }

  close(): void {
    this.#events?.close();
    this.#events = undefined;
    clearTimeout(this.#timer);
  }

  /** @returns whether the session carried it out; if not, the state says why. */
  async send(command: RecordingCommand): Promise<boolean> {
    this.#change({ pending: command.kind, refusal: '' });
    try {
      await sendCommand(command);
      return true;
    } catch (error) {
      this.#change({
        refusal: reasonOf(error) || 'The server did not answer. Look at the state, then try again.',
      });
      return false;
    } finally {
      this.#change({ pending: undefined });
    }
  }

  #open(): void {
    const events = recordingEvents();
    this.#events = events;
    events.onmessage = ({ data }) => {
      this.#dueIn(SILENCE_MILLIS, () => this.#lose());
      const status = JSON.parse(String(data)) as RecordingNow; // of the server's own version
      const isBack = this.#state.connection !== 'open';
      const isNews = status.state !== this.#state.status?.state;
      this.#change({
        ...{ status, connection: 'open', reason: '' },
        ...(isBack && { pending: undefined }), // its answer may have gone with the old connection
        ...(isNews && { refusal: '' }),
      });
    };
    events.onerror = () => this.#lose();
    this.#dueIn(SILENCE_MILLIS, () => this.#lose());
  }

  #lose(): void {
    this.#events?.close();
    this.#change({ connection: 'lost' });
    this.#dueIn(RETRY_MILLIS, () => this.#open());
    // Events cannot say why they were refused.
    fetchRecording().then(
      () => {},
      (error: unknown) => this.#change({ reason: reasonOf(error) }),
    );
  }

  #dueIn(millis: number, then: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, millis);
  }

  #change(change: Partial<RecordingState>): void {
    this.#state = { ...this.#state, ...change };
    this.#changed(this.#state);
  }
}

/** Empty for a failure of the network, whose texts help nobody. */
function reasonOf(error: unknown): string {
  return error instanceof Error && !(error instanceof TypeError) && !(error instanceof DOMException)
    ? error.message
    : '';
}
