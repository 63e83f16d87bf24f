/**
 * What secrets look like when nobody told us their values: the published forms of access tokens, and
 * values that stand behind a telling word. Sources: the issuers' documentation and the rule sets of
 * gitleaks and of GitHub's secret scanning. A bare run of hexadecimal digits is never a secret by
 * itself, because git's object ids are such runs.
 */
export interface SecretFormat {
  /** Literal beginnings; nothing else is looked at. */
  readonly starts: readonly string[];
  /**
   * What follows a beginning, as the source of a regular expression. Its group 1 is the secret, where it
   * has one; else the whole is. Takes time linear in what it matches: classes of characters that are
   * bounded or end the match, and no repetition within a repetition that could match the same text.
   */
  readonly rest: string;
  /** It counts at the start of a word only: its beginning ends ordinary words (`task-…`) as well. */
  readonly atWord?: boolean;
  readonly anyCase?: boolean;
  /** So many characters before the beginning belong to it; `rest` sees to it that they fit. */
  readonly before?: number;
}

const W = '[A-Za-z0-9_-]';
const A = '[A-Za-z0-9]';
const H = '[0-9a-f]';

/** By issuer: the beginnings, and what follows. */
const DISTINCT: readonly (readonly [starts: string, rest: string])[] = [
  ['aio_', `${A}{28}`],
  ['AGE-SECRET-KEY-1', '[0-9A-Za-z]{40,}'],
  ['pat', `${A}{14}\\.${H}{64}`],
  ['LTAI', `${A}{20}`],
  ['AKCp cmVmdGtu', `${A}{50,}`],
  ['ATATT3 ATCTT3', '[A-Za-z0-9_=.-]{40,}'],
  ['ATBB', `${A}{24,}`],
  ['AKIA ASIA ABIA ACCA', '[A-Z0-9]{16}'],
  ['xkeysib-', `${H}{64}-${A}{16}`],
  ['bkua_ pul- sqa_ sqp_ squ_ sbp_ e2b_', `${H}{40}`],
  ['CCIPAT_ CCIPRJ_ pcsk_', '[A-Za-z0-9_]{20,}'],
  ['CLOJARS_', '[0-9a-z]{60}'],
  ['CFPAT- figd_ fo1_', `${W}{40,}`],
  ['dapi', `${H}{32}(?:-\\d)?`],
  ['ddat_ ddpt_ dapt_', `${W}{30,}`],
  ['doo_v1_ dop_v1_ dor_v1_', `${H}{64}`],
  ['dckr_pat_ dckr_oat_ HRKU-', `${W}{27,}`],
  ['dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit.', '[A-Za-z0-9._-]{36,}'],
  ['fm1_ fm1a_ fm1r_ fm2_', '[A-Za-z0-9+/=_-]{60,}'],
  ['FLWSECK', '[A-Za-z0-9_-]{12,}'],
  ['ghp_ gho_ ghu_ ghs_ ghr_', '[A-Za-z0-9._-]{36,}'],
  ['github_pat_', '[A-Za-z0-9_]{22,}'],
  [
    'glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- gloas- glsoat- glffct- glwt-',
    '[A-Za-z0-9_=.-]{20,}',
  ],
  ['AIza', `${W}{35}`],
  ['GOCSPX-', `${W}{28}`],
  ['ya29.', `${W}{20,}`],
  ['glsa_', `${A}{32}_[0-9A-Fa-f]{8}`],
  ['glc_', '[A-Za-z0-9+/=]{32,}'],
  ['gsk_ pplx- lin_api_ lin_oauth_ ntn_ napi_ nfp_', `${A}{32,}`],
  ['hf_ api_org_', `${A}{30,}`],
  ['lsv2_pt_ lsv2_sk_', `${H}{32}_${H}{10}`],
  ['NRAK- NRAA- NRRA- NRII- NRJS-', `${W}{19,}`],
  ['npm_', `${A}{36}`],
  ['ops_eyJ', '[A-Za-z0-9_=-]{60,}'],
  ['pscale_tkn_ pscale_pw_ pscale_oauth_', '[A-Za-z0-9_.-]{32,}'],
  ['PMAK-', `${H}{24}-${H}{34}`],
  ['pypi-', `${W}{50,}`],
  ['rdme_', '[a-z0-9]{60,}'],
  ['r8_', `${A}{37}`],
  ['rubygems_', `${H}{48}`],
  ['sgp_', `${A}{64}`],
  ['SG.', `${W}{16,32}\\.${W}{32,64}`],
  ['sntrys_', '[A-Za-z0-9+/=_-]{40,}'],
  ['sntryu_', `${H}{64}`],
  ['shpat_ shpca_ shppa_ shpss_ shptka_', '[0-9a-fA-F]{32}'],
  ['xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxe.xoxb- xoxe.xoxp-', '[A-Za-z0-9-]{10,}'],
  ['xapp-', '\\d-[A-Za-z0-9-]{20,}'],
  ['hooks.slack.com/services/ hooks.slack.com/workflows/', '[A-Za-z0-9/_-]{20,}'],
  ['webhook.office.com/webhookb2/', '[A-Za-z0-9@/_-]{40,}'],
  ['discord.com/api/webhooks/ discordapp.com/api/webhooks/', `\\d{10,24}/${W}{40,}`],
  ['sq0atp- sq0csp- sq0idp-', `${W}{22,}`],
  ['EAAA', `${W}{56,}`],
  ['sk_live_ sk_test_ rk_live_ rk_test_', `${A}{16,}`],
  ['whsec_', '[A-Za-z0-9+/=]{24,}'],
  ['sb_secret_ tvly-', `${W}{20,}`],
  ['tskey-', '[a-z]{2,12}-[A-Za-z0-9-]{16,}'],
  ['.atlasv1.', `(?<=${A}{14}\\.atlasv1\\.)${W}{60,}`],
  ['tfp_', '[A-Za-z0-9_.=-]{40,}'],
  ['hvs. hvb. hvr.', `${W}{24,}`],
  ['Q~', '(?<=[A-Za-z0-9_~.-]{3}\\dQ~)[A-Za-z0-9_~.-]{31,34}'],
  [':AA', `(?<=(?<!\\d)\\d{8,10}:AA)${W}{33}`],
];

const AT_WORD: readonly (readonly [starts: string, rest: string])[] = [
  // OpenAI, Anthropic, OpenRouter, DeepSeek, Langfuse …
  ['sk-', `(?=${W}{0,80}\\d)${W}{20,}`],
  ['pa-', `(?=${W}{0,40}\\d)${W}{40,}`],
  ['xai-', `${A}{60,}`],
  ['key-', `${H}{32}`],
  ['SK', `${H}{32}`],
  ['cio', `${A}{32}`],
  ['rnd_', `${A}{28,}`],
  ['re_', `${A}{8}_${A}{20,}`],
  ['secret_', `${A}{43}`],
  ['1//0', `${W}{30,}`],
  ['sl.', `${W}{60,}`],
  ['pk.eyJ sk.eyJ', `${W}{20,}\\.${W}{20,}`],
  ['eyJ', `${W}{8,}\\.${W}{8,}\\.${W}{8,}`],
  // Discord's begin with a number in base64.
  ['MD MT Mj Mz ND NT Nj Nz OD OT Oj Oz', `${W}{20,26}\\.${W}{6}\\.${W}{27,40}`],
];

const BREAK = '(?:\\\\[rn]|\\s)';
/** In its armour, also with its line breaks written as `\n`; cut off, as far as it goes. */
const PRIVATE_KEY: SecretFormat = {
  starts: ['-----BEGIN '],
  rest:
    '[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----' +
    `(?:${BREAK}{1,8}(?:(?:Proc-Type|DEK-Info|Comment|Version|Hash):[^\\n\\\\"]{0,200}|[A-Za-z0-9+/=]{16,2000})){0,2000}` +
    `(?:${BREAK}{1,8}[A-Za-z0-9+/=]{1,76}(?=${BREAK}{0,8}-----END))?` +
    `(?:${BREAK}{0,8}-----END [A-Z0-9 ]{0,60}-----)?`,
};

/** `https://user:password@host`, and a long name that stands there alone. */
const IN_ADDRESS: SecretFormat = {
  starts: ['://'],
  rest: `([^\\s:@/"']{0,128}:[^\\s@/"']{1,512}|[A-Za-z0-9_.~-]{20,256})@`,
};

/** `Authorization: Bearer …`, also with quotes around name and value. */
const IN_HEADER: SecretFormat = {
  starts: ['authorization'],
  rest: `["']?\\s{0,4}[:=]\\s{0,4}["']?(?:basic|bearer|token|ssws)\\s{1,4}([A-Za-z0-9+/=._~:-]{8,})`,
  anyCase: true,
};

const IN_CONNECTION: SecretFormat = {
  starts: ['AccountKey=', 'SharedAccessKey=', 'sig=', 'X-Amz-Signature=', 'X-Amz-Security-Token='],
  rest: '([A-Za-z0-9%+/=_-]{16,})',
};

/** `HEROKU_API_KEY=…`, `"client_secret": "…"`, `password: …`: a value with a digit behind a telling name. */
const BEHIND_A_NAME: SecretFormat = {
  starts: ['passw', 'passphrase', 'secret', 'token', 'api_key', 'api-key', 'apikey'].concat([
    'access_key',
    'access-key',
    'accesskey',
    'private_key',
    'auth_key',
    'account_key',
    'credential',
  ]),
  rest: `[A-Za-z0-9_-]{0,24}["']?\\s{0,4}(?:=>|:=|[:=])\\s{0,4}["']?((?=[^\\s"',;]{0,128}\\d)[A-Za-z0-9_+/=.~!@#$%^&*-]{8,})`,
  anyCase: true,
};

const MAILCHIMP: SecretFormat = {
  starts: ['-us'],
  rest: `(?<=(?<!${H})${H}{32}-us)\\d{1,2}`,
  before: 32,
};

/** Every format; where several match at one place, the first counts. */
export const SECRET_FORMATS: readonly SecretFormat[] = [
  PRIVATE_KEY,
  ...DISTINCT.map(([starts, rest]) => ({ starts: starts.split(' '), rest })),
  ...AT_WORD.map(([starts, rest]) => ({ starts: starts.split(' '), rest, atWord: true })),
  MAILCHIMP,
  IN_ADDRESS,
  IN_HEADER,
  IN_CONNECTION,
  BEHIND_A_NAME,
];
