import type { HttpResponse as UwsResponse } from 'uWebSockets.js'
import type { HttpStream } from './http/stream.ts'

const UTF8 = new TextEncoder()

/** Writes a body as it comes, after the head. uWS throws when a response is touched that has ended: the stream touches none. */
export const stream = (res: UwsResponse, body: HttpStream) => {
  res.onWritable(() => {
    body.writable()
    return true
  })
  body.begin({
    write(text) {
      let isTaken = true
      res.cork(() => {
        // uWS writes a string whose characters all fit into a byte as Latin-1.
        isTaken = res.write(UTF8.encode(text))
      })
      return isTaken
    },
    keep() {
      // uWS ends a response that is blocked for about 10 s, and counts anew from a resume.
      res.pause()
      res.resume()
    },
    end: () => void res.cork(() => void res.end()),
    cut: () => void res.close(),
  })
}
