/** Something that set-up cannot do by itself: what failed, and the way out in one line. */
export class SetupError extends Error {
  /**
   * @param {string} what
   * @param {string} cure
   * @param {string[]} [lines] the last lines of the program that failed
   */
  constructor(what, cure, lines = []) {
    super(what);
    this.name = 'SetupError';
    this.cure = cure;
    this.lines = lines;
  }
}
