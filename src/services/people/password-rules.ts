import { hashPassword } from 'better-auth/crypto';
import { AppError } from '#/domain/app-error.ts';
import { PASSWORD_LENGTH_MAX, PASSWORD_LENGTH_MIN } from '#/domain/constants.ts';
import { inTurn } from './password-work.ts';

/** The first guesses of every attacker, as far as they are long enough to be allowed at all. */
const COMMON = new Set(
  `password password1 password12 password123 password1234 passw0rd p@ssw0rd p@ssword 12345678 123456789 1234567890 0123456789
  123123123 1234512345 11111111 00000000 88888888 87654321 987654321 9876543210 12341234 11223344 112233445566 qwertyui qwertyuiop
  qwerty12 qwerty123 qwerty1234 1q2w3e4r 1q2w3e4r5t q1w2e3r4 1qaz2wsx zaq12wsx qazwsxedc asdfghjk asdfghjkl zxcvbnm1 zxcvbnm123
  abcd1234 abc12345 abcdefgh abcdefghi a1b2c3d4 aa123456 iloveyou iloveyou1 sunshine sunshine1 princess princess1 football football1
  baseball baseball1 basketball superman superman1 batman123 trustno1 letmein1 letmein123 welcome1 welcome12 welcome123 dragon123
  monkey123 master123 shadow123 michael1 jennifer charlie1 computer internet whatever starwars pokemon1 spiderman liverpool chelsea1
  mercedes samsung1 administrator admin123 admin1234 administrator1 changeme changeme1 changeme123 default1 default123 secret123
  secret12 test1234 testtest guest123 root1234 rootroot toor1234 login123 access14 lowrank1 lowrank123`.split(/\s+/),
);

/** Says which rule a new password breaks; null when it may be used. Length counts as JavaScript counts it. */
function brokenRule(password: string, email: string): { message: string; code: string } | null {
  if (password.length < PASSWORD_LENGTH_MIN)
    return { message: `must have at least ${PASSWORD_LENGTH_MIN} characters`, code: 'too_small' };
  if (password.length > PASSWORD_LENGTH_MAX)
    return { message: `must have at most ${PASSWORD_LENGTH_MAX} characters`, code: 'too_big' };
  const plain = password.toLowerCase();
  if (COMMON.has(plain) || new Set(plain).size < 3)
    return { message: 'is among the first that anybody would guess: choose a longer sentence', code: 'too_common' };
  if (plain === email) return { message: 'must not be the e-mail', code: 'too_common' };
  return null;
}

/** Checks and hashes a new password (scrypt, outside any transaction). Throws `invalid_request` that names the broken rule, and `rate_limited`. */
export async function hashNewPassword(password: string, email: string, path = 'password'): Promise<string> {
  const broken = brokenRule(password, email.toLowerCase());
  if (broken !== null) throw new AppError('invalid_request', `${path} ${broken.message}`, [{ path, ...broken }]);
  return inTurn(() => hashPassword(password));
}
