'use client';
import { Package, Plus } from 'lucide-react';
import { useState } from 'react';
import { PageHeader } from '#/components/shell/PageHeader.tsx';
import { Button } from '#/components/ui/Button.tsx';
import { EmptyState } from '#/components/ui/EmptyState.tsx';
import { Input } from '#/components/ui/Field.tsx';
import { Pages } from '#/components/ui/Pages.tsx';
import { QueryPanel } from '#/components/ui/QueryPanel.tsx';
import { formatOf } from '#/components/units.ts';
import { useMe } from '#/hooks/useAccount.ts';
import { useBaseModels } from '#/hooks/useBaseModels.ts';
import { useSettled } from '#/hooks/useSettled.ts';
import { ModelRow } from './ModelRow.tsx';
import { RegisterModelDialog } from './RegisterModelDialog.tsx';

const LIMIT = 25;
const TYPING_MS = 250;

export function ModelsPage() {
  const { data: me } = useMe();
  const [adding, setAdding] = useState(false);
  const [page, setPage] = useState(1);
  const [typed, setTyped] = useState('');
  const search = useSettled(typed.trim(), TYPING_MS);
  const list = useBaseModels({ search, limit: LIMIT, offset: (page - 1) * LIMIT });
  const add = (
    <Button variant="primary" onClick={() => setAdding(true)}>
      <Plus aria-hidden />
      Add a model
    </Button>
  );
  return (
    <>
      <PageHeader title="Models" actions={add}>
        Base models that trainings start from. All users of this studio see them.
      </PageHeader>
      <QueryPanel
        query={list}
        what="models"
        rows={3}
        row="h-18"
        title={list.data ? formatOf(list.data.total, 'model') : 'Models'}
        aside={
          <Input
            type="search"
            aria-label="Search models by name or family"
            placeholder="Search"
            className="h-8 w-44"
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value);
              setPage(1);
            }}
          />
        }
      >
        {({ models, total }) => (
          <>
            {models.length > 0 ? (
              <ul aria-label="Models" className="divide-y">
                {models.map((model) => (
                  <ModelRow key={model.id} model={model} mayDelete={model.created_by_me} />
                ))}
              </ul>
            ) : search === '' ? (
              <EmptyState icon={Package} title="No base model yet" actions={add}>
                Add one from a folder of this machine or from the Hugging Face Hub. Size, type and context are read from its
                files.
              </EmptyState>
            ) : (
              <EmptyState
                icon={Package}
                title={`No model matches “${search}”`}
                actions={<Button onClick={() => setTyped('')}>Show all models</Button>}
              >
                Name, description and family are searched.
              </EmptyState>
            )}
            <Pages page={page} pages={Math.ceil(total / LIMIT)} onPage={setPage} />
          </>
        )}
      </QueryPanel>
      <RegisterModelDialog open={adding} onOpenChange={setAdding} mayUseFolders={me?.role === 'administrator'} />
    </>
  );
}
