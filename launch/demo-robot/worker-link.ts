import { Worker } from 'node:worker_threads';
import { workerFile } from '../../schemas/worker-file.ts';
import type { Batch } from './simulation.ts';
import type { DemoTruth } from './truth.ts';
import type { WorldOptions } from './world-options.ts';

/** What the robot's thread is asked for; every request has one answer, in order. */
export type ToWorker = { readonly kind: 'advance'; readonly forSecs: number } | { readonly kind: 'truth' };

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'batch'; readonly batch: Batch }
  | { readonly kind: 'truth'; readonly truth: DemoTruth };

/** The thread that simulates, seen from the thread that delivers. */
export class WorkerLink {
  readonly #worker: Worker;
  readonly #waiting: PromiseWithResolvers<FromWorker>[] = [];
  #failure: Error | undefined;

  static async open(world: WorldOptions): Promise<WorkerLink> {
    const link = new WorkerLink(world);
    await link.#answer('ready');
    return link;
  }

  private constructor(world: WorldOptions) {
    this.#worker = new Worker(workerFile(import.meta.url, 'worker'), { workerData: world });
    this.#worker.on('message', (message: FromWorker) => this.#waiting.shift()?.resolve(message));
    this.#worker.on('error', (error) => this.#fail(error));
    this.#worker.on('exit', (code) => this.#fail(new Error(`its thread ended with code ${code}`)));
  }

  async advance(forSecs: number): Promise<Batch> {
    this.#post({ kind: 'advance', forSecs });
    return (await this.#answer('batch')).batch;
  }

  async truth(): Promise<DemoTruth> {
    this.#post({ kind: 'truth' });
    return (await this.#answer('truth')).truth;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  async #answer<K extends FromWorker['kind']>(kind: K): Promise<Extract<FromWorker, { kind: K }>> {
    if (this.#failure) throw this.#failure;
    const waiting = Promise.withResolvers<FromWorker>();
    this.#waiting.push(waiting);
    const answer = await waiting.promise;
    if (answer.kind !== kind)
      throw new TypeError(`expected "${kind}" from the simulation, found "${answer.kind}"`);
    return answer as Extract<FromWorker, { kind: K }>;
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#failure);
  }
}
