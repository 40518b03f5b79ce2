'use client';
import { PageHeader } from '#/components/shell/PageHeader.tsx';

export function DashboardPage() {
  return <PageHeader title="Dashboard" />;
}
