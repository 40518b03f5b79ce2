import { DashboardPage } from '#/components/dashboard/DashboardPage.tsx';

export default function Page() {
  return <DashboardPage />;
}
