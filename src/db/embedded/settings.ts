/** The server's settings, given on its command line so that no file in the data folder has to be kept in step with us. */
export function serverSettings(options: { port: number; durable: boolean; connections_max: number }): string[] {
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    // The data folder may have a path longer than a socket's 107 bytes; passwords guard the loopback port.
    unix_socket_directories: '',
    max_connections: String(options.connections_max),
    password_encryption: 'scram-sha-256',
    timezone: 'UTC',
    log_timezone: 'UTC',
    synchronous_commit: 'on',
    jit: 'off',
    // Statements and the details of refused rows hold people's data: neither belongs in a log file.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    log_line_prefix: '%m [%p] ',
    // Bounds what a vanished client costs.
    tcp_keepalives_idle: '30',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '3',
  };
  if (!options.durable) Object.assign(settings, { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' });
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
