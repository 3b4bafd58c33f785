// The part of k6's own modules that the scenarios use (k6 2). They exist only inside k6.

declare module 'k6/execution' {
  const execution: {
    /** `currentTestRunDuration`: ms since the run began, with fractions. */
    instance: { readonly currentTestRunDuration: number }
  }
  export default execution
}

declare module 'k6/http' {
  interface Response {
    /** 0: there was no answer, and `error` says why. */
    readonly status: number
    readonly body: string | null
    readonly error: string
  }
  const http: {
    asyncRequest(
      method: string,
      url: string,
      body: string,
      params: { headers: Record<string, string> },
    ): Promise<Response>
  }
  export default http
}

declare module 'k6/metrics' {
  interface Metric {
    add(value: number, tags?: Record<string, string>): void
  }
  export const Counter: new (name: string) => Metric
  /** `isTime`: values are ms. */
  export const Trend: new (name: string, isTime?: boolean) => Metric
}

declare module 'k6/websockets' {
  export class WebSocket {
    constructor(url: string, protocols: string)
    binaryType: 'blob' | 'arraybuffer'
    onopen: () => void
    onmessage: (event: { data: unknown }) => void
    onclose: (event: { code?: number; reason?: string }) => void
    onerror: (event: { error: string }) => void
    send(bytes: Uint8Array): void
    close(code?: number): void
  }
}

/** The variables given by `k6 run --env`. */
declare const __ENV: Readonly<Record<string, string | undefined>>
