import { flag } from './flags.ts'
import { isNatsUrl } from './nats-access.ts'
import { file, list, text } from './values.ts'

/** Flags of every command that may work on NATS: which one, and who we are to it. */
export const NATS_FLAGS = {
  nats: flag(
    list
      .refine((urls) => urls.length > 0 && urls.every(isNatsUrl), 'nats:// or tls:// URLs, with commas between')
      .optional(),
    { value: 'URL[,URL]', secret: true, description: 'NATS for bus and log, in place of the data folder' },
  ),
  natsUser: flag(text.optional(), { value: 'NAME', description: 'who we are to NATS' }),
  natsPassword: flag(text.optional(), { value: 'S', secret: true, description: "that user's password" }),
  natsToken: flag(text.optional(), { value: 'S', secret: true, description: 'or the token that NATS asks for' }),
  natsNkey: flag(file.optional(), { value: 'FILE', description: 'or the seed of an nkey' }),
  natsCreds: flag(file.optional(), {
    value: 'FILE',
    description: 'or credentials (JWT and seed), as nsc writes them',
  }),
  natsCa: flag(file.optional(), {
    value: 'FILE',
    description: 'who signs the certificates of NATS (PEM); asks for TLS',
  }),
  natsCert: flag(file.optional(), { value: 'FILE', description: 'our certificate for NATS (PEM); asks for TLS' }),
  natsKey: flag(file.optional(), { value: 'FILE', description: 'its key (PEM)' }),
}
