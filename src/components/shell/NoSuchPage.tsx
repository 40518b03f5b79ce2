'use client';
import dynamic from 'next/dynamic';

// Every page brings along what is shown where there is none, so it is fetched when that happens.
export const NoSuchPage = dynamic(() => import('./NoSuchPageBody.tsx').then((module) => module.NoSuchPageBody));
