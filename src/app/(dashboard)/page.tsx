import { DashboardPage } from '#/components/jobs/DashboardPage.tsx';

export default function Page() {
  return <DashboardPage />;
}
