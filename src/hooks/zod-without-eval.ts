/** Imported before any schema is made in a page: Zod would try to compile code, which our pages' policy forbids and reports. */
import { config } from 'zod';

config({ jitless: true });
