import { useEffect, useState } from 'react'
import './transports.css'
import type { Session } from '../../../client/client.ts'
import { Shell } from '../page/shell.tsx'
import { useStore } from '../store.ts'
import { useWords } from '../words/words.ts'
import { Demonstration } from './demonstration.ts'
import type { Reading } from './meter.ts'
import { Seat } from './seat.tsx'
import { TransportCard } from './transport-card.tsx'

/** The page that lets a visitor compare the transports: a live room, watched over all four at once. */
export default function TransportsPage() {
  const { transports: words } = useWords()
  const [demonstration, setDemonstration] = useState<Demonstration | null>(null)
  useEffect(() => {
    const opened = new Demonstration()
    void opened.open()
    setDemonstration(opened)
    return () => opened.close()
  }, [])
  return (
    <Shell title={words.title} bar={<h1 className="title">{words.title}</h1>}>
      <div className="transports">
        <p className="transports-lead">{words.lead}</p>
        {demonstration && <Exhibits demonstration={demonstration} />}
        <p className="transports-foot">{words.foot}</p>
      </div>
    </Shell>
  )
}

const Exhibits = ({ demonstration }: { demonstration: Demonstration }) => {
  const { tryAgain, transports: words } = useWords()
  const scene = useStore(demonstration.scene)
  const trouble = useStore(demonstration.trouble)
  if (trouble !== null)
    return (
      <div className="notice" role="alert">
        <p>{trouble.code === 'forbidden' ? words.noGuests : trouble.message}</p>
        <button type="button" className="button primary" onClick={() => location.reload()}>
          {tryAgain}
        </button>
      </div>
    )
  if (scene === null) return <p className="empty">{words.opening}</p>
  return (
    <>
      <Seat demonstration={demonstration} scene={scene} />
      <Cards demonstration={demonstration} session={scene.session} />
    </>
  )
}

const Cards = ({ demonstration, session }: { demonstration: Demonstration; session: Session }) => {
  const readings = useStore(demonstration.readings)
  const mine = useStore(session.transport)
  const mostOf = (of: (reading: Reading) => number): number => Math.max(...readings.map(of))
  const most = {
    bytes: mostOf(({ up, down }) => up + down),
    requests: mostOf(({ requests }) => requests),
    latency: mostOf(({ median }) => median ?? 0),
  }
  return (
    <div className="transport-cards">
      {readings.map((reading) => (
        <TransportCard key={reading.transport} reading={reading} isMine={reading.transport === mine} most={most} />
      ))}
    </div>
  )
}
