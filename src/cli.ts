import { Command, Option } from 'commander';
import { CommandError } from '#/cli/command-error.ts';

if (Number(process.versions.node.split('.')[0]) < 24) {
  console.error(
    `Lowrank runs on Node 24, this is ${process.version}. Use the npm scripts: they bring it along (npm start, npm run lowrank -- …).`,
  );
  process.exit(1);
}

const program = new Command('lowrank').description('Fine-tune models with LoRA on your own machine').showHelpAfterError();
const collect = (value: string, before: string[]) => [...before, value];

program
  .command('start')
  .description('run the studio: web, worker and database, until Ctrl-C (trainings run on)')
  .action(async () => (await import('#/cli/start.ts')).start());

program
  .command('demo')
  .description('train a small model on a small dataset, before your eyes')
  .option('--exit', 'end the studio when the demo is done')
  .option('--images', 'an image LoRA on a tiny Stable Diffusion pipeline in place of the language model')
  .addOption(
    new Option('--shuffle-targets', 'the control experiment: the same run on targets dealt out at random').conflicts('images'),
  )
  .action(async (options: { exit?: boolean; images?: boolean; shuffleTargets?: boolean }) =>
    (await import('#/cli/demo.ts')).demo({
      exit: options.exit === true,
      images: options.images === true,
      shuffle_targets: options.shuffleTargets === true,
    }),
  );

program
  .command('train')
  .description('upload a file, train on it and bring the adapter home')
  .requiredOption('--dataset <file>', 'JSONL or JSON: chat, ShareGPT, Alpaca, prompt/completion or text')
  .option('--map <pairs>', 'which columns to read, such as prompt=question,completion=answer')
  .option('--skip-invalid', 'leave out rows that break a rule instead of refusing the file')
  .option('--model <name>', "a registered model, a folder on the studio's machine, or a Hub id (owner/name@revision)")
  .option('--preset <preset>', 'fast, balanced or quality', 'balanced')
  .option('--set <name=value>', 'change a hyperparameter, such as --set epochs=1 (repeatable)', collect, [])
  .option('--name <name>', 'what to call the run')
  .option('--output <folder>', 'where the adapter goes (default: adapters/<job id>)')
  .option('--follow', 'follow with a progress bar and download the adapter')
  .action(async (options) => (await import('#/cli/train-command.ts')).trainCommand(options));

program
  .command('estimate')
  .description('foretell memory and time of trainings: one JSON object a line in, one a line out')
  .option('--input <file>', 'requests, one a line (default, or -: standard input)')
  .option('--output <file>', 'answers, one a line (default, or -: standard output)')
  .action(async (options: { input?: string; output?: string }) =>
    (await import('#/cli/estimate-command.ts')).estimateCommand(options),
  );

program
  .command('login')
  .description('remember the address of a studio and a key to it')
  .option('--url <url>', 'where the studio answers', 'http://127.0.0.1:3000')
  .action(async (options: { url: string }) => (await import('#/cli/login.ts')).login(options.url));

program
  .command('doctor')
  .description('look at this machine and this installation, and say how to mend what is wrong')
  .action(async () => (await import('#/cli/doctor.ts')).doctor());

program
  .command('migrate')
  .description('bring the database up to date')
  .action(async () => (await import('#/cli/migrate-command.ts')).migrateCommand());

program
  .command('supabase')
  .description('bring the Supabase project in DATABASE_URL to what the studio needs: migrations, buckets, policies')
  .option('--dry-run', 'show the SQL and change nothing')
  .action(async (options: { dryRun?: boolean }) =>
    (await import('#/cli/supabase-command.ts')).supabaseCommand({ dry_run: options.dryRun === true }),
  );

program
  .command('reset-password <email>')
  .description('give a person a new password and end their sessions')
  .action(async (email: string) => (await import('#/cli/reset-password.ts')).resetPasswordCommand(email));

program
  .command('sign-in-link [email]')
  .description('a link that signs a person (without an e-mail: the owner) in once, within 10 minutes')
  .action(async (email?: string) => (await import('#/cli/sign-in-link.ts')).signInLinkCommand(email));

program
  .command('backup <file>')
  .description('write everything of this installation into one file (the studio must be stopped)')
  .action(async (file: string) => (await import('#/cli/backup.ts')).backupCommand(file));

program
  .command('restore <file>')
  .description('bring a backup back into an empty data directory')
  .action(async (file: string) => (await import('#/cli/backup.ts')).restoreCommand(file));

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommandError) {
    console.error(error.message);
    process.exit(error.exit_code);
  }
  // Errors of the database server and of set-up carry their cure in their message.
  if (error instanceof Error && 'cure' in error) {
    console.error(error.message);
    process.exit(1);
  }
  throw error;
}
