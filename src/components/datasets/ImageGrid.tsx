'use client';
import Image from 'next/image';
import { Button } from '#/components/ui/Button.tsx';
import { Panel } from '#/components/ui/Panel.tsx';
import { QueryFault } from '#/components/ui/QueryFault.tsx';
import { SkeletonRows } from '#/components/ui/Skeleton.tsx';
import { formatCount, formatOf } from '#/components/units.ts';
import type { DatasetImage } from '#/contract/dataset-images.ts';
import type { Dataset } from '#/contract/datasets.ts';
import { useDatasetImages } from '#/hooks/useDatasetImages.ts';

/** The pictures of a dataset in small, with what is said of each; fetched as one comes to them. */
export function ImageGrid({ dataset }: { dataset: Dataset }) {
  const { data, error, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useDatasetImages(dataset);
  if (error && data === undefined) return <QueryFault what="The pictures" error={error} retry={refetch} />;
  const images = data?.pages.flatMap((page) => page.images) ?? [];
  const total = data?.pages[0]?.total ?? 0;
  return (
    <Panel title={data === undefined ? 'Pictures' : formatOf(total, 'picture')}>
      {data === undefined ? (
        <SkeletonRows rows={3} label="Pictures are being fetched" className="h-32" />
      ) : (
        <ul aria-label="Pictures" className="grid grid-cols-2 gap-3 sm:grid-cols-[repeat(auto-fill,minmax(9.5rem,1fr))]">
          {images.map((image) => (
            <Tile key={image.n} image={image} />
          ))}
        </ul>
      )}
      {hasNextPage && (
        <div className="mt-4 flex items-center gap-3">
          <Button busy={isFetchingNextPage} onClick={() => fetchNextPage()}>
            Show more
          </Button>
          <span className="text-soft text-sm">
            {formatCount(images.length)} of {formatCount(total)}
          </span>
        </div>
      )}
    </Panel>
  );
}

function Tile({ image }: { image: DatasetImage }) {
  const { thumbnail_url, caption, file, width, height, repeats, is_class } = image;
  return (
    <li className="min-w-0">
      <figure className="grid gap-1.5">
        {/* It is small already, and its address wants the reader's session. */}
        <Image
          unoptimized
          src={thumbnail_url}
          alt={caption ?? file}
          loading="lazy"
          width={width}
          height={height}
          className="aspect-square w-full rounded-md border bg-hover object-contain"
        />
        <figcaption className="grid text-sm">
          <span className="line-clamp-2 [overflow-wrap:anywhere]" title={caption ?? undefined}>
            {caption ?? <span className="text-soft">No caption</span>}
          </span>
          <span className="truncate text-soft text-xs" title={file}>
            {width} × {height}
            {repeats > 1 && ` · ${repeats} times`}
            {is_class && ' · class'}
          </span>
        </figcaption>
      </figure>
    </li>
  );
}
