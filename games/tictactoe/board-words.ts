const en = {
  board: 'Board',
  you: 'you',
  somebody: 'Somebody',
  yourTurn: 'Your turn.',
  turn: (name: string) => `${name}’s turn.`,
  youWin: 'You won!',
  wins: (name: string) => `${name} won.`,
  youWinByLeave: 'The other player left. You win.',
  winsByLeave: (name: string) => `The other player left. ${name} wins.`,
  draw: 'A draw. Nobody won.',
  put: (name: string, isRing: boolean) => `${name} drew a ${isRing ? 'ring' : 'cross'}.`,
  cell: (row: number, column: number, owner: string | null) => `Row ${row}, column ${column}: ${owner ?? 'free'}`,
}

const ko: typeof en = {
  board: '놀이판',
  you: '나',
  somebody: '누군가',
  yourTurn: '내 차례예요.',
  turn: (name) => `${name} 님 차례예요.`,
  youWin: '이겼어요!',
  wins: (name) => `${name} 님이 이겼어요.`,
  youWinByLeave: '상대가 나가서 이겼어요.',
  winsByLeave: (name) => `상대가 나가서 ${name} 님이 이겼어요.`,
  draw: '비겼어요.',
  put: (name, isRing) => `${name} 님이 ${isRing ? '동그라미' : '가위표'}를 그렸어요.`,
  cell: (row, column, owner) => `${row}행 ${column}열: ${owner ?? '빈칸'}`,
}

/** What the board says, by language. */
export const boardWords = { en, ko }
export type BoardWords = typeof en
