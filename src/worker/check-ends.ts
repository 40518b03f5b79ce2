/** How long a check of a dataset may take, and what its owner is told where it ends without a report. */

export const CHECK_WITHIN_MS = 60 * 60_000;

export const CHECK_TIMEOUT = {
  code: 'check_timeout',
  message: 'The check took longer than an hour: upload the file in smaller parts.',
};
export const FILE_MISSING = { code: 'file_missing', message: 'The file is not in the storage any more: upload it once more.' };
export const CHECK_FAILED = {
  code: 'check_failed',
  message: 'The file could not be checked: try again, or upload it once more.',
};
