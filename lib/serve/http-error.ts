// Answers that are errors: a status, and JSON that tells programs the kind and people the reason.
import type { OutgoingHttpHeaders } from 'node:http';

export class HttpError extends Error {
  constructor(
    readonly status: number,
    /** The kind, for programs: 'image_broken'. */
    readonly code: string,
    message: string,
    readonly headers: OutgoingHttpHeaders = {},
  ) {
    super(message);
  }

  get body(): { error: { code: string; message: string } } {
    return { error: { code: this.code, message: this.message } };
  }
}

/** The client has hung up: there is nobody to answer. */
export class ClientGone extends Error {
  constructor() {
    super('The client has closed the connection.');
  }
}
