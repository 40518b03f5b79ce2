'use client';
import { Trash2 } from 'lucide-react';
import { useRouter } from 'next/navigation';
import { useState } from 'react';
import { Button } from '#/components/ui/Button.tsx';
import { Dialog } from '#/components/ui/Dialog.tsx';
import type { Dataset } from '#/contract/datasets.ts';
import { useDeleteDataset } from '#/hooks/useDatasets.ts';

export function DeleteDataset({ dataset }: { dataset: Dataset }) {
  const router = useRouter();
  const [asking, setAsking] = useState(false);
  const remove = useDeleteDataset(dataset.id);
  return (
    <>
      <Button onClick={() => setAsking(true)}>
        <Trash2 aria-hidden />
        Delete
      </Button>
      <Dialog
        open={asking}
        onOpenChange={setAsking}
        title={`Delete ${dataset.name}?`}
        description="It leaves your list and can no longer be trained on. Trainings that used it keep their results."
        actions={
          <>
            <Button onClick={() => setAsking(false)}>Keep it</Button>
            <Button
              variant="danger"
              busy={remove.isPending}
              onClick={() =>
                remove.mutate(undefined, { onSuccess: () => router.replace('/datasets'), onSettled: () => setAsking(false) })
              }
            >
              Delete the dataset
            </Button>
          </>
        }
      />
    </>
  );
}
