/** The headers that Chromium 156 on Linux sends of its own accord with requests of a page of the same origin, as it sent them to us. */

const AGENT =
  'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36'
const ACCEPTED = ['Accept-Encoding: gzip, deflate, br, zstd', 'Accept-Language: en-US,en;q=0.9']
const FETCH = [
  'sec-ch-ua-platform: "Linux"',
  AGENT,
  'sec-ch-ua: "Not:A-Brand";v="8", "Chromium";v="156"',
  'sec-ch-ua-mobile: ?0',
  'Sec-Fetch-Site: same-origin',
  'Sec-Fetch-Mode: cors',
  'Sec-Fetch-Dest: empty',
  ...ACCEPTED,
]

export interface Sender {
  port: number
  token: string
  session: string
}

const lines = (...all: readonly string[]): string => `${all.join('\r\n')}\r\n`

const ours = ({ token, session }: Sender): string[] => [`Authorization: Bearer ${token}`, `Madang-Session: ${session}`]

/** What follows the request line of a GET by `fetch`, up to the empty line. Pure. */
export const getHeaders = (sender: Sender, accept: string): string =>
  lines(`Host: 127.0.0.1:${sender.port}`, 'Connection: keep-alive', `Accept: ${accept}`, ...ours(sender), ...FETCH, '')

/** What follows the request line of a POST of frames by `fetch`, up to the empty line. Pure. */
export const postHeaders = (sender: Sender, length: number): string =>
  lines(
    `Host: 127.0.0.1:${sender.port}`,
    'Connection: keep-alive',
    `Content-Length: ${length}`,
    'Content-Type: application/vnd.msgpack',
    'Accept: */*',
    `Origin: http://127.0.0.1:${sender.port}`,
    ...ours(sender),
    ...FETCH,
    '',
  )

/** What `new WebSocket(url, 'madang.v1')` adds to the lines of the upgrade itself. A page cannot add any: its token is in HELLO. Pure. */
export const upgradeHeaders = (port: number): string =>
  lines(
    'Pragma: no-cache',
    'Cache-Control: no-cache',
    AGENT,
    `Origin: http://127.0.0.1:${port}`,
    ...ACCEPTED,
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits',
    'Sec-WebSocket-Protocol: madang.v1',
  )
