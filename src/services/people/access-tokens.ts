import { createHash } from 'node:crypto';
import { errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { AppError } from '#/domain/app-error.ts';
import { withoutUnseen } from '#/domain/plain-text.ts';
import type { TokenRules } from '#/env.ts';
import { outboundMeans } from '#/storage/outbound/checked-addresses.ts';
import { ensureSubject, findSubject } from './ensure-subject.ts';
import type { ResolvedCredential } from './resolve-credential.ts';
import { signingKeys } from './signing-keys.ts';

/** How far our clock and the issuer's may be apart, seconds. */
const CLOCK_TOLERANCE_S = 5;
const FORM = /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/;
/** As Supabase writes them and `auth.uid()` compares them. */
const SUBJECT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const ROLE = 'authenticated';
const NAME_CHARACTERS = 120;

/** Judges a Supabase project's access tokens. */
export interface AccessTokens {
  /**
   * Whom a token stands for; at first sight its person gets a row of ours. Throws `unauthenticated` and, when the keys that
   * would prove it cannot be had, `identity_unavailable`.
   */
  resolve(token: string): Promise<ResolvedCredential>;
}

/** Says if the text has the form of an access token: three parts, the first a JSON object. */
export const isAccessToken = (text: string): boolean => FORM.test(text);

const refused = (why: string) => new AppError('unauthenticated', `This access token ${why}`);

function reasonOf(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.JWTExpired) return refused('has expired: refresh it and try again');
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`is not for this studio: its claim ${error.claim} is missing or another than the one that is configured here`);
  return refused('is not one of the Supabase project that is configured here: signature, key or algorithm are another');
}

/** What a person is called until they say otherwise: a label, by which nobody is recognised. */
function nameOf(payload: JWTPayload): string {
  const told = typeof payload.email === 'string' ? payload.email : typeof payload.phone === 'string' ? payload.phone : '';
  return withoutUnseen(told).trim().slice(0, NAME_CHARACTERS) || 'Supabase user';
}

/** The operator's own address is trusted as it is written, and is for that no address that members' webhooks may reach. */
function keysAt(jwks_url: string): JWTVerifyGetKey {
  return signingKeys(jwks_url, outboundMeans([new URL(jwks_url).host]));
}

/** A judge who goes by `rules` alone: issuer, audience and algorithm are never the token's to choose. */
export function accessTokens(rules: TokenRules): AccessTokens {
  const { key, issuer, audience } = rules;
  const prove = key.algorithm === 'HS256' ? new TextEncoder().encode(key.secret) : keysAt(key.jwks_url);
  const options = {
    algorithms: [key.algorithm],
    issuer,
    audience,
    clockTolerance: CLOCK_TOLERANCE_S,
    requiredClaims: ['sub', 'exp', 'role'],
  };

  async function verify(token: string): Promise<JWTPayload> {
    try {
      return (await jwtVerify(token, prove, options)).payload;
    } catch (error) {
      throw reasonOf(error);
    }
  }

  return {
    async resolve(token) {
      const payload = await verify(token);
      // `anon` and `service_role` are the project's own keys: neither is a person.
      if (payload.role !== ROLE) throw refused(`is not a person's: its role must be ${ROLE}`);
      if (payload.is_anonymous === true) throw refused('is of an anonymous sign-in: sign in with an account');
      // The type says a text; the token says what it likes.
      const user_id = typeof payload.sub === 'string' ? payload.sub : '';
      if (!SUBJECT.test(user_id)) throw refused('names no person: its sub must be a UUID');
      const person = (await findSubject(user_id)) ?? (await ensureSubject(user_id, nameOf(payload)));
      // Whoever has accounts made in the project may choose their ids: theirs are never an account of the studio's own.
      if (!person.is_subject) throw refused('names an account of the studio itself, which signs in there and by no token');
      if (person.disabled) throw refused('is of a person whom an administrator has locked out');
      return {
        id: createHash('sha256').update(token).digest('hex'),
        kind: 'access_token',
        user_id,
        role: person.role,
        scopes: ['read', 'write'],
        expires_at: new Date(((payload.exp ?? 0) + CLOCK_TOLERANCE_S) * 1000),
      };
    },
  };
}
