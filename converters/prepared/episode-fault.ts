import { KinescribeError, MissingFeatureError, StorageError, UsageError } from '../../schemas/errors.ts';

/** Whether an error speaks of one recording, so that the others can go on without it. */
export function isEpisodeFault(error: unknown): error is KinescribeError {
  return (
    error instanceof KinescribeError &&
    !(error instanceof MissingFeatureError) &&
    !(error instanceof StorageError) &&
    !(error instanceof UsageError)
  );
}
