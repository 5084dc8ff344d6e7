// Whether what came is whole: each frame with data names the one before it.

/** One subscription's chain, which lives on over connections. */
export class Chain {
  constructor() {
    /** @type {number | null} the last one that came */
    this.seq = null;
    /** @type {string | null} where to go on after an interruption */
    this.resume = null;
    /** @type {number | null} the one that what comes from there on follows */
    this.place = null;
    this.isPartial = false;
  }

  /**
   * @param {{ type: string, seq: number, prev_seq: number | null, resume?: string, part?: number }} frame with data
   * @returns {boolean} false where something is missing before it: it must not be used then
   */
  take(frame) {
    const begins = frame.type === "snapshot";
    if (!begins && (this.isPartial || frame.prev_seq !== this.seq)) return false;
    // The parts of a snapshot are one: where a connection breaks between them, nothing of it counts.
    this.isPartial = begins && !isWhole(frame);
    if (this.isPartial) return true;
    this.seq = frame.seq;
    this.advance(frame.resume, frame.seq);
    return true;
  }

  /** A gap that the server tells of: what comes next follows it, a snapshot or what is live. */
  skip(frame) {
    this.isPartial ||= isFollowedBySnapshot(frame);
    if (frame.to_seq !== null && frame.to_seq !== undefined) this.seq = frame.to_seq;
  }

  /**
   * What a heartbeat says of it.
   * @param {{ seq: number | null, resume?: string }} told
   * @returns {boolean} false where more was sent than came
   */
  beat(told) {
    if (this.isPartial || told.seq === null || told.seq === undefined) return true;
    if (this.seq === null || told.seq > this.seq) return false;
    this.advance(told.resume, told.seq);
    return true;
  }

  /** A token holds for a number: a gap has one, and no token. */
  advance(resume, seq) {
    if (resume) [this.resume, this.place] = [resume, seq];
  }

  /** Another try: what was not whole comes again. */
  again() {
    this.seq = this.place;
    this.isPartial = false;
  }

  /** Begins anew, with a snapshot. */
  forget() {
    this.seq = this.place = null;
    this.resume = null;
    this.isPartial = false;
  }
}

/** Whether a gap is one behind which the sequence begins anew. */
function isFollowedBySnapshot(gap) {
  return gap.reason === "window" || gap.reason === "lost";
}

/** Whether a snapshot is one frame, or this its last part. */
export function isWhole(frame) {
  return (frame.part ?? 1) >= (frame.parts ?? 1);
}
