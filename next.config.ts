import type { NextConfig } from 'next';

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  devIndicators: false,
  // No page has a picture to shrink, and the optimiser would fetch addresses that a stranger names.
  images: { unoptimized: true },
  // `npm run check` reads the types of the whole house; the build of the pages does not read them again.
  typescript: { ignoreBuildErrors: true },
  turbopack: { root: import.meta.dirname },
};

export default config;
