/** Why nothing was sent, or nothing came back. */
export const OUTBOUND_FAULTS = [
  // The address is not one to send to: nothing was sent.
  'invalid_url',
  'https_required',
  'port_not_allowed',
  'address_not_public',
  'host_unknown',
  // It may be otherwise another time.
  'dns_failed',
  'connection_failed',
  'tls_failed',
  'timeout',
  'response_too_large',
  'stopped',
] as const;
export type OutboundFault = (typeof OUTBOUND_FAULTS)[number];

/** A request to another host that got no answer. Its message may be told to whoever gave the address: it names no address of ours. */
export class OutboundError extends Error {
  readonly code: OutboundFault;
  constructor(code: OutboundFault, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
