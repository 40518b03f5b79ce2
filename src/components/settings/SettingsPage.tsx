'use client';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Segments } from '#/components/ui/Segments.tsx';
import { useMe } from '#/hooks/useAccount.ts';
import { type Theme, useTheme } from '#/hooks/useTheme.ts';
import { AccountSection } from './AccountSection.tsx';
import { InvitationSection } from './InvitationSection.tsx';
import { KeysSection } from './KeysSection.tsx';
import { MembersSection } from './MembersSection.tsx';
import { Section } from './Section.tsx';

export function SettingsPage() {
  const { data: me } = useMe();
  return (
    <>
      <PageHeader title="Settings" />
      <div>
        {me && <AccountSection me={me} />}
        <ThemeSection />
        <KeysSection />
        {me?.role === 'administrator' && (
          <>
            <MembersSection me={me} />
            <InvitationSection />
          </>
        )}
      </div>
    </>
  );
}

function ThemeSection() {
  const [theme, choose] = useTheme();
  return (
    <Section title="Appearance" about="Kept in this browser.">
      <Segments<Theme>
        label="Appearance"
        value={theme}
        onChange={choose}
        options={[
          ['system', 'As the system'],
          ['light', 'Light'],
          ['dark', 'Dark'],
        ]}
      />
    </Section>
  );
}
